"""What this container uses: CPU, memory and GPUs against their limits."""
