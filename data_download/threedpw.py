"""Prepare 3DPW: accept the licence at https://virtualhumans.mpi-inf.mpg.de/3DPW and put both zips into one folder.

python data_download/threedpw.py --source ~/3DPW
python data_download/threedpw.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.threedpw import READER

if __name__ == "__main__":
    dataset_script(READER)
