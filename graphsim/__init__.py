"""A local Microsoft Graph v1.0 and Entra token endpoint over generated tenants. Stands alone: imports no pipeline."""
