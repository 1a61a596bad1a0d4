"""What every test needs."""

from hypothesis import HealthCheck, settings

# the same examples on every machine, and no limit on their time: nothing here may depend on how busy the machine is
settings.register_profile("emolab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("emolab")
