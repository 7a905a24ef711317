"""Prepare Human3.6M's preprocessed JSON form (images/ and annotations/), as I2L-MeshNet, Pose2Mesh and TCMR use it.

python data_download/human36m_json.py --source ~/human36m
python data_download/human36m_json.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.human36m_json import READER

if __name__ == "__main__":
    dataset_script(READER)
