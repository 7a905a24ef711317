"""placeholder"""
def read_smpl_file(path):
    raise NotImplementedError
