"""The only places that read control groups, the machine and the GPU driver.

Each probe answers with a reading or says why it has none; none raises.
"""
