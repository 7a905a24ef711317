"""Prepare MuCo-3DHP in the JSON form of 3DMPPE and I2L-MeshNet; the nearest person of each picture is read.

python data_download/muco.py --source ~/muco
python data_download/muco.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.muco import READER

if __name__ == "__main__":
    dataset_script(READER)
