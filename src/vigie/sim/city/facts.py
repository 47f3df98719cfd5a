"""What is public knowledge about Dijon metropole, and what the demo promises to hold.

Communes, populations (municipal, BANATIC 2024) and areas as published; places of centres, waters and grounds read
off any map, to about 200 m. Everything else of the city is generated.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[float, float]
"""Longitude and latitude in degrees, WGS84."""

METROPOLE = "dijon-metropole"
NAME = "Dijon métropole"
ZONE = "Europe/Paris"
CENTRE: Place = (5.0415, 47.3220)

LUMINAIRES = 34_000
CABINETS = 1_000
JUNCTIONS = 113
CAMERAS = 269
VEHICLES = 205
BUSES = 180
BUS_LINES = 30
TRAMS = 30
AIR_STATIONS = 14
WEATHER_STATIONS = 26
BOLLARDS = 26
BIKE_STATIONS = 40
BUILDINGS_MAX = 25_000


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the metropole.

    area_km2: of its whole territory. built: residents per square kilometre of its built-up part, estimated.
    centre: its town hall or church. land: further places well inside its territory; they give it its shape.
    gate: whether a main road leaves the metropole through it.
    """

    insee: str
    name: str
    slug: str
    population: int
    area_km2: float
    built: float
    centre: Place
    land: tuple[Place, ...]
    gate: bool = False


COMMUNES: tuple[Commune, ...] = (
    Commune("21231", "Dijon", "dijon", 159_346, 41.66, 5_300, CENTRE,
            ((5.0375, 47.3229), (5.046, 47.362), (4.993, 47.315), (5.072, 47.309), (5.068, 47.334), (5.020, 47.303))),
    Commune("21166", "Chenôve", "chenove", 14_445, 7.43, 4_000, (5.0075, 47.2930), ((4.995, 47.2915),)),
    Commune("21617", "Talant", "talant", 11_894, 4.89, 4_200, (5.0060, 47.3372), ((4.991, 47.341),)),
    Commune("21171", "Chevigny-Saint-Sauveur", "chevigny-saint-sauveur", 10_944, 11.99, 3_645, (5.1350, 47.2990),
            ((5.1366, 47.2999), (5.128, 47.304)), True),
    Commune("21515", "Quetigny", "quetigny", 8_869, 8.26, 3_375, (5.1080, 47.3150),
            ((5.1200, 47.3220), (5.129, 47.322))),
    Commune("21278", "Fontaine-lès-Dijon", "fontaine-les-dijon", 8_847, 4.45, 3_300, (5.0205, 47.3430),
            ((5.0246, 47.3480),)),
    Commune("21355", "Longvic", "longvic", 8_676, 10.41, 2_835, (5.0620, 47.2885),
            ((5.0500, 47.2800), (5.052, 47.290))),
    Commune("21540", "Saint-Apollinaire", "saint-apollinaire", 7_490, 10.24, 3_105, (5.0880, 47.3325),
            ((5.0960, 47.3400),), True),
    Commune("21390", "Marsannay-la-Côte", "marsannay-la-cote", 5_309, 12.81, 2_565, (4.9880, 47.2710),
            ((4.967, 47.279), (5.015, 47.279)), True),
    Commune("21452", "Neuilly-Crimolois", "neuilly-crimolois", 3_146, 8.20, 2_160, (5.1100, 47.2770),
            ((5.1150, 47.2725), (5.127, 47.268))),
    Commune("21485", "Plombières-lès-Dijon", "plombieres-les-dijon", 2_518, 14.97, 2_430, (4.9700, 47.3400),
            ((4.945, 47.338), (4.925, 47.335)), True),
    Commune("21481", "Perrigny-lès-Dijon", "perrigny-les-dijon", 2_249, 6.70, 2_025, (5.0080, 47.2660),
            ((5.0230, 47.2540),), True),
    Commune("21605", "Sennecey-lès-Dijon", "sennecey-les-dijon", 2_045, 3.51, 2_565, (5.1040, 47.2920),
            ((5.1040, 47.2900), (5.0985, 47.2910))),
    Commune("21263", "Fénay", "fenay", 1_697, 10.54, 1_755, (5.0600, 47.2330), ((5.0500, 47.2450),), True),
    Commune("21473", "Ouges", "ouges", 1_604, 12.24, 2_025, (5.0740, 47.2620), ((5.0800, 47.2560), (5.088, 47.266))),
    Commune("21003", "Ahuy", "ahuy", 1_584, 6.60, 1_890, (5.0210, 47.3690), ((5.0200, 47.3740),), True),
    Commune("21223", "Daix", "daix", 1_529, 11.78, 1_890, (4.9990, 47.3520), ((4.966, 47.361), (4.948, 47.362))),
    Commune("21315", "Hauteville-lès-Dijon", "hauteville-les-dijon", 1_217, 8.88, 1_890, (4.9960, 47.3690),
            ((4.978, 47.379),), True),
    Commune("21105", "Bressey-sur-Tille", "bressey-sur-tille", 1_122, 7.32, 1_755, (5.1850, 47.3080),
            ((5.1800, 47.3085),), True),
    Commune("21106", "Bretenière", "breteniere", 912, 6.08, 1_755, (5.1080, 47.2400), ((5.1030, 47.2340),), True),
    Commune("21370", "Magny-sur-Tille", "magny-sur-tille", 883, 10.50, 1_620, (5.1800, 47.2730),
            ((5.1680, 47.2760), (5.155, 47.275)), True),
    Commune("21192", "Corcelles-les-Monts", "corcelles-les-monts", 644, 14.59, 1_350, (4.9330, 47.3010),
            ((4.942, 47.306), (4.957, 47.298)), True),
    Commune("21270", "Flavignerot", "flavignerot", 223, 6.28, 1_080, (4.9170, 47.2790), ((4.9190, 47.2770),), True),
)  # fmt: skip

# The river comes down the valley in the west, feeds the lake, passes south of the old town and leaves in the
# south-east; the canal keeps it company as far as the harbour, then runs straight to the Saone.
OUCHE: tuple[Place, ...] = (
    (4.8950, 47.3330), (4.9250, 47.3345), (4.9480, 47.3370), (4.9660, 47.3365), (4.9790, 47.3325), (4.9960, 47.3245),
    (5.0120, 47.3195), (5.0260, 47.3160), (5.0350, 47.3125), (5.0460, 47.3065), (5.0530, 47.2990), (5.0580, 47.2915),
    (5.0700, 47.2840), (5.0880, 47.2780), (5.1040, 47.2730), (5.1250, 47.2640), (5.1450, 47.2500), (5.1700, 47.2350),
)  # fmt: skip
CANAL: tuple[Place, ...] = (
    (4.8950, 47.3305), (4.9250, 47.3322), (4.9480, 47.3345), (4.9640, 47.3338), (4.9770, 47.3290), (4.9930, 47.3217),
    (5.0110, 47.3165), (5.0220, 47.3140), (5.0330, 47.3098), (5.0430, 47.3030), (5.0560, 47.2850), (5.0740, 47.2655),
    (5.0980, 47.2470), (5.1300, 47.2220),
)  # fmt: skip
LAKE: tuple[Place, ...] = ((4.9775, 47.3335), (4.9850, 47.3298), (4.9930, 47.3262))
"""The axis of Lac Kir."""
LAKE_HALF_WIDTH_M = 125.0

ROCADE: tuple[Place, ...] = (
    (4.9650, 47.3290), (4.9800, 47.3460), (5.0000, 47.3585), (5.0220, 47.3625), (5.0450, 47.3700), (5.0700, 47.3580),
    (5.0930, 47.3440), (5.0990, 47.3225), (5.0940, 47.3020), (5.0790, 47.2930), (5.0560, 47.2975), (5.0350, 47.2910),
    (5.0240, 47.2800), (5.0300, 47.2600), (5.0420, 47.2200),
)  # fmt: skip
"""The ring road, from the A38 in the west round the north and the east to the A31 in the south."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A place with large plots: a park, a campus, an estate, a trading or industrial zone.

    sort: "park" and "wood" are green; the others only have large plots.
    """

    name: str
    place: Place
    hectares: float
    sort: str


GROUNDS: tuple[Ground, ...] = (
    Ground("Parc de la Colombière", (5.0490, 47.3045), 32, "park"),
    Ground("Parc du Lac Kir", (4.9900, 47.3310), 30, "park"),
    Ground("Jardin Darcy", (5.0335, 47.3240), 1.6, "park"),
    Ground("Jardin de l'Arquebuse", (5.0275, 47.3200), 5, "park"),
    Ground("Parc des Carrières Bacquin", (5.0600, 47.3270), 8, "park"),
    Ground("Parc du Drapeau", (5.0410, 47.3345), 6, "park"),
    Ground("Parc de la Toison d'Or", (5.0560, 47.3530), 20, "park"),
    Ground("Parc de la Fontaine aux Fées", (5.0120, 47.3420), 9, "park"),
    Ground("Plaine sportive de Chenôve", (5.0150, 47.2870), 14, "park"),
    Ground("Coulée verte de Quetigny", (5.1180, 47.3120), 16, "park"),
    Ground("Parc de Saint-Apollinaire", (5.0850, 47.3280), 12, "park"),
    Ground("Jardin de l'Ouche", (5.0210, 47.3130), 5, "park"),
    Ground("Parc du château de Chevigny", (5.1390, 47.3040), 12, "park"),
    Ground("Plateau de Chenôve", (4.9950, 47.2990), 30, "park"),
    Ground("Square Darcet", (5.0590, 47.3190), 3, "park"),
    Ground("Campus Montmuzard", (5.0700, 47.3120), 110, "campus"),
    Ground("Hôpital du Bocage", (5.0690, 47.3215), 50, "campus"),
    Ground("Gare", (5.0240, 47.3240), 24, "industry"),
    Ground("Triage de Perrigny", (5.0260, 47.2960), 60, "industry"),
    Ground("Zone Dijon-Longvic", (5.0700, 47.2965), 150, "industry"),
    Ground("Zone de Longvic sud", (5.0450, 47.2830), 90, "industry"),
    Ground("Base aérienne", (5.0880, 47.2700), 240, "field"),
    Ground("Cap Nord", (5.0750, 47.3480), 110, "industry"),
    Ground("Parc Valmy", (5.0520, 47.3650), 60, "industry"),
    Ground("Zone de Chevigny", (5.1230, 47.3020), 90, "industry"),
    Ground("Grand Marché", (5.1000, 47.3090), 70, "industry"),
    Ground("Zone de Marsannay", (5.0040, 47.2780), 110, "industry"),
    Ground("Fontaine d'Ouche", (5.0040, 47.3150), 60, "estate"),
    Ground("Les Grésilles", (5.0640, 47.3320), 40, "estate"),
    Ground("Le Mail", (5.0130, 47.2985), 40, "estate"),
    Ground("Le Belvédère", (4.9980, 47.3370), 40, "estate"),
    Ground("Golf de Quetigny", (5.1270, 47.3240), 50, "park"),
)

TRAM_LINES: tuple[tuple[str, tuple[tuple[str, Place], ...]], ...] = (
    ("T1", (
        ("Dijon Gare", (5.0284, 47.3233)), ("Foch Gare", (5.0301, 47.3235)), ("Darcy", (5.0342, 47.3237)),
        ("Godrans", (5.0390, 47.3253)), ("République", (5.0458, 47.3265)), ("Auditorium", (5.0521, 47.3286)),
        ("Poincaré", (5.0587, 47.3289)), ("Grésilles", (5.0643, 47.3289)), ("Parc des Sports", (5.0653, 47.3226)),
        ("CHU Hôpitaux", (5.0676, 47.3201)), ("Érasme", (5.0671, 47.3153)), ("Université", (5.0730, 47.3116)),
        ("Mazen Sully", (5.0768, 47.3149)), ("Piscine olympique", (5.0820, 47.3150)), ("Cap Vert", (5.0946, 47.3136)),
        ("Grand Marché", (5.1036, 47.3124)), ("Quetigny Centre", (5.1100, 47.3139)),
    )),
    ("T2", (
        ("Chenôve Centre", (5.0064, 47.2945)), ("Le Mail", (5.0104, 47.2997)), ("Valendons", (5.0151, 47.3019)),
        ("Carraz", (5.0210, 47.3009)), ("Bourroches", (5.0234, 47.3053)), ("Jaurès", (5.0264, 47.3106)),
        ("1er Mai", (5.0287, 47.3146)), ("Monge", (5.0314, 47.3174)), ("Foch Gare", (5.0302, 47.3235)),
        ("Darcy", (5.0340, 47.3237)), ("Godrans", (5.0388, 47.3253)), ("République", (5.0442, 47.3268)),
        ("Drapeau", (5.0440, 47.3330)), ("Junot", (5.0445, 47.3391)), ("Nation", (5.0453, 47.3465)),
        ("Europe", (5.0459, 47.3532)), ("Toison d'Or", (5.0523, 47.3554)), ("Zénith", (5.0566, 47.3566)),
        ("Pôle Santé", (5.0510, 47.3613)), ("Giroud", (5.0494, 47.3653)), ("Valmy", (5.0467, 47.3655)),
    )),
)  # fmt: skip
