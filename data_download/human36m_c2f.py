"""Prepare Human3.6M as the coarse-to-fine volume's authors distribute it: annot/*.mat (and .h5) beside images/.

python data_download/human36m_c2f.py --source ~/human36m_c2f
python data_download/human36m_c2f.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.human36m_c2f import READER

if __name__ == "__main__":
    dataset_script(READER)
