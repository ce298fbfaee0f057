# ruff: noqa: SIM905 - a word list reads better as text
"""Word lists that names are put together from. Their lengths matter only where ``users.person_name`` says so."""

from __future__ import annotations

FIRST_NAMES = tuple(
    """
    Ada Alan Amara Anders Anika Arjun Astrid Beatriz Benjamin Bruno Camila Carlos Chidi Clara Dana Daniel
    Diego Edith Elias Elif Emeka Emma Farah Felix Fiona Gabriel Grace Hana Hannah Hassan Henrik Ines
    Ingrid Isaac Ivan Jasmin Joao Jonas Julia Kaito Karim Kavya Lars Laura Leila Liam Lucia Magnus
    Maya Mei Miguel Nadia Noah Nora Olga Omar Paula Priya Rafael Rosa Samuel Sofia Tomas Yuki
    """.split()
)
LAST_NAMES = tuple(
    """
    Abbott Adeyemi Ahmed Almeida Andersen Bauer Becker Bennett Berg Bianchi Blake Bosch Brandt Cardoso Castillo Chen
    Cohen Costa Dahl Das Delgado Dietrich Dubois Eriksen Evans Farouk Ferrari Fischer Flores Fontaine Foster Fuchs
    Garcia Gomez Greene Gupta Haddad Hansen Hartmann Hayes Hoffman Hughes Ibrahim Ivanova Jansen Jensen Johnston Kaplan
    Keller Khan Kim Klein Kowalski Kruger Larsen Lehmann Lindqvist Lopez Marino Martin Mbeki Mehta Meyer Moreau
    Morgan Murphy Nakamura Navarro Nguyen Nilsen Novak Okafor Oliveira Park Patel Pereira Petrov Quinn Ramirez Reyes
    Ricci Rossi Sato Schmidt Schneider Sharma Silva Singh Suzuki Tanaka Torres Vargas Walsh Weber Wilson Zhang
    """.split()
)
COMPANY_FIRST = tuple(
    "Alder Amber Birch Cobalt Copper Coral Crescent Delta Ember Falcon Granite Harbor Indigo Juniper Keystone Lantern "
    "Maple Meridian Northwind Oakline Orchard Pioneer Quarry Redwood Silver Summit Timber Union Vale Willow".split()
)
COMPANY_SECOND = tuple(
    "Analytics Architects Clinics Construction Dental Design Energy Engineering Finance Foods Freight Hospitality "
    "Insurance Labs Legal Logistics Manufacturing Media Motors Partners Pharma Realty Retail Robotics Schools Textiles "
    "Travel Veterinary".split()
)
CITIES = (
    ("Portland", "US"),
    ("Leeds", "GB"),
    ("Utrecht", "NL"),
    ("Graz", "AT"),
    ("Porto", "PT"),
    ("Tampere", "FI"),
    ("Halifax", "CA"),
    ("Brisbane", "AU"),
)
TEAM_NAMES = tuple("Aspen Badger Comet Dune Elm Fjord Gale Heron Iris Jade Kestrel Lotus Moss Otter Pine Reed".split())
SHARED_MAILBOXES = tuple(
    "Accounts-Payable Booking Careers Complaints Contact Events Facilities Info Invoices Marketing-Requests Orders "
    "Press Reception Returns Scanner Support".split()
)
SERVICE_ACCOUNTS = tuple("backup crm-sync erp-connector intranet mail-relay monitoring print-server room-panel".split())
PARTNERS = tuple("brightline clearwater fairmont hollis kepler norden ridgeway stanton".split())

DEPARTMENTS = (
    "Sales",
    "Operations",
    "Customer Support",
    "Engineering",
    "Finance",
    "Marketing",
    "Information Technology",
    "Human Resources",
    "Legal",
    "Executive",
)
DEPARTMENT_OF_SLOT = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9)
"""How twenty people spread over the departments."""
JOB_TITLES: dict[str, tuple[str, ...]] = {
    "Sales": ("Account Executive", "Sales Manager", "Sales Representative"),
    "Operations": ("Operations Coordinator", "Operations Manager", "Dispatcher"),
    "Customer Support": ("Support Agent", "Support Lead", "Customer Success Manager"),
    "Engineering": ("Engineer", "Senior Engineer", "Quality Engineer"),
    "Finance": ("Accountant", "Controller", "Payroll Specialist"),
    "Marketing": ("Marketing Specialist", "Content Editor", "Brand Manager"),
    "Information Technology": ("Systems Administrator", "Service Desk Analyst", "Network Engineer"),
    "Human Resources": ("HR Advisor", "Recruiter", "HR Manager"),
    "Legal": ("Counsel", "Paralegal", "Compliance Officer"),
    "Executive": ("Director", "Chief of Staff", "Executive Assistant"),
}
