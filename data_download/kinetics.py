"""Prepare Kinetics-400: npz files of 2D joints that your own detector found; README.md gives their form.

python data_download/kinetics.py --source ~/kinetics
python data_download/kinetics.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.kinetics import READER

if __name__ == "__main__":
    dataset_script(READER)
