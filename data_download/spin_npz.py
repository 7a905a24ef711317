"""Prepare SPIN's lists of pictures (dataset_extras/*.npz); pictures are looked for below --source by their imgname.

python data_download/spin_npz.py --source ~/spin_npz
python data_download/spin_npz.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.spin_npz import READER

if __name__ == "__main__":
    dataset_script(READER)
