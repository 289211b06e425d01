"""What the demo organisation is made of, and its question files."""

from __future__ import annotations

from pathlib import Path

from kiosk.capabilities import Role

QUESTIONS = Path(__file__).parent / "questions"
PASSWORD = "demo-kiosk-2026"  # noqa: S105  printed at every demo start
START_CODE = "123456"
CANDIDATES, FIRST_CENTRE = 60, 40

TRADES = (
    ("OCC", "Operator Communication and Ciphers", True),
    ("DMV", "Driver Mechanical Vehicle", True),
    ("TTC", "Telecommunication Technician", True),
    ("DTMN", "Draughtsman", True),
    ("EFS", "Electrician Fitter Signals", True),
    ("LMN", "Lineman", True),
    ("CLK SD", "Clerk Staff Duties", True),
    ("STEWARD", "Steward", True),
    ("WASHERMAN", "Washerman", True),
    ("HOUSE KEEPER", "House Keeper", True),
    ("CHEFCOM", "Chef Community", True),
    ("MESS KEEPER", "Mess Keeper", True),
    ("SKT", "Storekeeper Technical", True),
    ("ARTSN WW", "Artisan Wood Worker", True),
    ("MUSICIAN", "Musician", False),
    ("HAIR DRESSER", "Hair Dresser", False),
    ("SP STAFF", "Special Staff", False),
)
LONG_PAPER = ("OCC", "DMV")
# letter, type, count in the common shape, count in the long one, marks, least and most words
PARTS = (
    ("A", "single", 15, 20, 1, None, None),
    ("C", "short", 5, 5, 2, 20, 30),
    ("D", "fill", 10, 15, 1, None, None),
    ("E", "long", 3, 4, 5, 100, 120),
    ("F", "true_false", 10, 10, 1, None, None),
)
SET_FILES = {
    ("TTC", "primary"): "ttc-primary",
    ("OCC", "primary"): "occ-primary",
    (None, "secondary"): "common-secondary",
}
STAFF = (
    ("admin", "Admin", Role.ADMIN, None),
    ("centre", "Centre Admin North", Role.CENTRE_ADMIN, "C01"),
    ("centre2", "Centre Admin South", Role.CENTRE_ADMIN, "C02"),
    ("invigilator", "Invigilator North", Role.INVIGILATOR, "C01"),
    ("marks", "Marks Officer", Role.MARKS_OFFICER, None),
    ("auditor", "Auditor", Role.AUDITOR, None),
)
FIRST_NAMES = (
    "Arjun",
    "Kiran",
    "Mohan",
    "Suresh",
    "Vikram",
    "Imran",
    "George",
    "Pradeep",
    "Deepak",
    "Ravi",
    "Sanjay",
    "Harpreet",
)
LAST_NAMES = (
    "Thapa",
    "Toppo",
    "Verma",
    "Pillai",
    "Rathore",
    "Shaikh",
    "Joseph",
    "Oraon",
    "Negi",
    "Kumar",
    "Yadav",
    "Singh",
    "Das",
)
RANKS = ("Sepoy", "Lance Naik", "Naik", "Havildar")
