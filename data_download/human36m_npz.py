"""Prepare Human3.6M from the npz files that VideoPose3D's scripts make, with the dataset's metadata.xml beside them.

python data_download/human36m_npz.py --source ~/human36m
python data_download/human36m_npz.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.human36m_npz import READER

if __name__ == "__main__":
    dataset_script(READER)
