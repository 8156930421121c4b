"""The types of the cloud's resources, by the ecosystem's strings."""

from typing import Final

SERVER: Final = "OS::Nova::Server"
VOLUME: Final = "OS::Cinder::Volume"
PROJECT: Final = "OS::Keystone::Project"
IMAGE: Final = "OS::Glance::Image"
NETWORK: Final = "OS::Neutron::Network"

COVERED: Final = {
    IMAGE: "the server or project that uses it",
    NETWORK: "the server or project that uses it",
}
"""Types that the specification asks to be accepted and left alone, and what covers them."""
