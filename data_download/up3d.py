"""Prepare UP-3D: up-3d.zip from http://files.is.tue.mpg.de/classner/up (CC BY-NC 4.0).

python data_download/up3d.py --source ~/up3d
python data_download/up3d.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.up3d import READER

if __name__ == "__main__":
    dataset_script(READER)
