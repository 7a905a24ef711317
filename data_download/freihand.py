"""Prepare FreiHAND: both zips into one folder (research only), unpacked or not.

python data_download/freihand.py --source ~/freihand
python data_download/freihand.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.freihand import READER

if __name__ == "__main__":
    dataset_script(READER)
