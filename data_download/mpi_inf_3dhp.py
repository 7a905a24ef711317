"""Prepare MPI-INF-3DHP: run get_dataset.sh and get_testset.sh of its archive, then give the folder with S1 … S8.

python data_download/mpi_inf_3dhp.py --source ~/mpi_inf_3dhp
python data_download/mpi_inf_3dhp.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.mpi_inf_3dhp import READER

if __name__ == "__main__":
    dataset_script(READER)
