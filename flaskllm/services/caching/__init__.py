"""The cache of answers, and equal requests that wait for one."""
