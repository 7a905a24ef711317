"""Networks, targets and read-outs. Models know nothing of datasets: tensors in, tensors out."""
