"""What features know of kernels: who they are, whether they live, why they ended."""
