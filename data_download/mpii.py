"""Prepare MPII human pose: images/ beside annot/train.h5 and annot/valid.h5 (stacked hourglass) or HRNet's JSON.

python data_download/mpii.py --source ~/mpii
python data_download/mpii.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.mpii import READER

if __name__ == "__main__":
    dataset_script(READER)
