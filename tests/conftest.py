"""What all tests share: the sandbox's fixtures, the wheel, and hypothesis without a clock."""

import hypothesis

pytest_plugins = ["sandbox.pytest_plugin", "tests.wheels"]

# A machine that is busy with servers makes an example slow, not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")
