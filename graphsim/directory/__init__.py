"""What a tenant consists of, generated: users, groups, roles, licences, applications. Nothing of it is stored."""
