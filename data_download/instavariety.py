"""Prepare InstaVariety: insta_train_db.h5 as VIBE ships it; labels without pictures.

python data_download/instavariety.py --source ~/instavariety
python data_download/instavariety.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.instavariety import READER

if __name__ == "__main__":
    dataset_script(READER)
