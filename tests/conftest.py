"""What all tests share: the sandbox's fixtures, signals as a person's shell has them, patience."""

import signal

import hypothesis

pytest_plugins = ["sandbox.pytest_plugin", "tests.wheels"]

# A machine that is busy with servers makes an example slow, not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every program
# that they start: the tests of what Ctrl-C does would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
