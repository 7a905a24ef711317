"""Prepare PoseTrack18: annotations and pictures on request at https://posetrack.net.

python data_download/posetrack.py --source ~/posetrack
python data_download/posetrack.py --check
"""

from posebook.data.real.command import dataset_script
from posebook.data.real.posetrack import READER

if __name__ == "__main__":
    dataset_script(READER)
