"""Prepare PennAction: Penn_Action.tar.gz from http://dreamdragon.github.io/PennAction.

python data_download/pennaction.py --source ~/pennaction
python data_download/pennaction.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.pennaction import READER

if __name__ == "__main__":
    dataset_script(READER)
