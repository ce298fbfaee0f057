"""The former system's behaviour, kept because the new one is compared with it. Nothing here is to be copied.

It asks one small question at a time, so its queries grow with the tenant; it takes missing data for empty; and it
concludes from silence. Where that is known to be wrong, the module says so and ``declared.py`` names it for the
comparison. Deleting this folder and its tests removes the old system.
"""
