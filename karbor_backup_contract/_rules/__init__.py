"""The rules of the contract, one module for each subject; ``registry`` finds them all."""
