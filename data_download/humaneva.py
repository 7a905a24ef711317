"""Prepare HumanEva-I from the npz files that VideoPose3D's scripts make and the calibrations of the dataset.

python data_download/humaneva.py --source ~/humaneva
python data_download/humaneva.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.humaneva import READER

if __name__ == "__main__":
    dataset_script(READER)
