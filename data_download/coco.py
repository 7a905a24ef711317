"""Prepare COCO keypoints: annotations_trainval2017.zip (CC BY 4.0) is enough for the 2D prior; pictures are optional.

python data_download/coco.py --source ~/coco
python data_download/coco.py --check
"""

from posebook.data.real.coco import READER
from posebook.data.real.command import dataset_script

if __name__ == "__main__":
    dataset_script(READER)
