# Broken and random input.
