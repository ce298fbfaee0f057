"""A HaloPSA beside the simulated Graph: the PSA of the MSP that looks after the simulated tenants."""
