"""Prepare Human3.6M from its own archives: an approved account at http://vision.imar.ro/human3.6m, one folder of .tgz.

python data_download/human36m.py --source ~/human36m
python data_download/human36m.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.human36m import READER

if __name__ == "__main__":
    dataset_script(READER)
