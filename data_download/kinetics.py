"""Prepare Kinetics-400: npz files of 2D joints that your detector found (the form is in lib/posebook/data/real/kinetics.py).

python data_download/kinetics.py --source ~/kinetics
python data_download/kinetics.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.kinetics import READER

if __name__ == "__main__":
    dataset_script(READER)
