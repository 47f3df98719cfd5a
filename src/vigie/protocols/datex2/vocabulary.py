"""The words of DATEX II that the post knows: the classes of records, and what each enumeration has.

The enumerations are those of version 3.7. Version 2 had some words more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """What a record is of: by it go the fields that it has beside those of all."""

    WORKS = "works"
    MEASURE = "measure"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True)
class Form:
    """A class of records. kinds: the element that says what of that class it is. needed: whether it must. many: whether
    it may say several."""

    family: Family
    kinds: str
    needed: bool = True
    many: bool = False


FORMS: Mapping[str, Form] = {
    "ConstructionWorks": Form(Family.WORKS, "constructionWorkType"),
    "MaintenanceWorks": Form(Family.WORKS, "roadMaintenanceType", many=True),
    "RoadOrCarriagewayOrLaneManagement": Form(Family.MEASURE, "roadOrCarriagewayOrLaneManagementType"),
    "ReroutingManagement": Form(Family.MEASURE, "reroutingManagementType", many=True),
    "SpeedManagement": Form(Family.MEASURE, "speedManagementType", needed=False),
    "Accident": Form(Family.TRAFFIC, "accidentType", many=True),
    "VehicleObstruction": Form(Family.TRAFFIC, "vehicleObstructionType"),
    "GeneralObstruction": Form(Family.TRAFFIC, "obstructionType", many=True),
    "AbnormalTraffic": Form(Family.TRAFFIC, "abnormalTrafficType", needed=False),
    "PublicEvent": Form(Family.TRAFFIC, "publicEventType"),
    "WeatherRelatedRoadConditions": Form(Family.TRAFFIC, "weatherRelatedRoadConditionType", many=True),
}
"""The classes whose kinds the post reads, and that it can write. A record of another is read without them."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


def _values(said: str) -> frozenset[str]:
    return frozenset(said.split())


ENUMERATIONS: Mapping[str, frozenset[str]] = {
    "severity": _values("highest high medium low lowest none unknown"),
    "probabilityOfOccurrence": _values("certain probable riskOf"),
    "validityStatus": _values("active planned suspended definedByValidityTimeSpec"),
    "constructionWorkType": _values(
        "blastingWork constructionWork demolitionWork roadImprovementOrUpgrading roadWideningWork"
    ),
    "roadMaintenanceType": _values(
        "accidentRepairWork clearanceWork controlledAvalanche installationWork grassCuttingWork litterClearance "
        "maintenanceWork maintenancePeopleOnRoad overheadWorks repairWork resurfacingWork roadMarkingWork "
        "roadsideWork roadworksClearance roadworks rockFallPreventativeMaintenance saltingInProgress "
        "snowploughsInUse sweepingOfRoad treeAndVegetationCuttingWork other"
    ),
    "roadOrCarriagewayOrLaneManagementType": _values(
        "carPoolLaneInOperation carriagewayClosures clearALaneForEmergencyVehicles "
        "clearALaneForSnowploughsAndGrittingVehicles closedPermanentlyForTheWinter contraflow "
        "doNotUseSpecifiedLanesOrCarriageways hardShoulderRunningInOperation hardShoulderRunningNotInOperation "
        "heightRestrictionInOperation intermittentShortTermClosures keepToTheLeft keepToTheRight laneClosures "
        "lanesDeviated narrowLanes newRoadworksLayout overnightClosures roadCleared roadClosed rollingRoadBlock "
        "rushHourLaneInOperation singleAlternateLineTraffic tidalFlowLaneInOperation turnAroundInOperation "
        "useOfSpecifiedLanesOrCarriagewaysAllowed useSpecifiedLanesOrCarriageways vehicleStorageInOperation "
        "weightRestrictionInOperation other"
    ),
    "reroutingManagementType": _values(
        "doNotFollowDiversionSigns doNotUseEntry doNotUseExit doNotUseIntersectionOrJunction followDiversionSigns "
        "followLocalDiversion followSpecialMarkers useEntry useExit useIntersectionOrJunction"
    ),
    "complianceOption": _values("advisory mandatory"),
    "commentType": _values(
        "abnormalLoadMovementNote dataProcessingNote description internalNote roadworksName warning other"
    ),
    "causeType": _values(
        "abnormalTraffic accident animalPresence authorityOperation constructionWork disturbance "
        "drivingConditions environmentalObstruction equipmentOrSystemFault infrastructureDamageObstruction "
        "instructionToRoadUsers networkManagement nonWeatherRelatedRoadConditions obstruction poorEnvironment "
        "publicEvent rerouting roadMaintenance roadOperatorServiceDisruption roadOrCarriagewayOrLaneManagement "
        "roadsideAssistance roadsideServiceDisruption speedManagement transitServiceDisruption vehicleObstruction "
        "weatherRelatedRoadConditions winterEquipmentManagement earlierEvent earlierIncident holidayTraffic "
        "problemsAtBorderPost problemsAtCustomPost problemsOnLocalRoads roadsideEvent rubberNecking "
        "technicalProblems vandalism other"
    ),
    "applicableDay": frozenset(DAYS),
    "applicableMonth": frozenset(MONTHS),
    "sourceType": _values(
        "automobileClubPatrol cameraObservation freightVehicleOperator inductionLoopMonitoringStation "
        "infraredMonitoringStation microwaveMonitoringStation mobileTelephoneCaller "
        "nonPoliceEmergencyServicePatrol otherInformation otherOfficialVehicle policePatrol "
        "privateBreakdownService publicAndPrivateUtilities registeredMotoristObserver roadAuthorities "
        "roadOperatorPatrol roadsideTelephoneCaller spotterAircraft trafficMonitoringStation transitOperator "
        "vehicleProbeMeasurement videoProcessingMonitoringStation"
    ),
    "carriageway": _values(
        "connectingCarriageway cycleTrack entrySlipRoad exitSlipRoad flyover footpath leftHandFeederRoad "
        "leftHandParallelCarriageway mainCarriageway oppositeCarriageway parallelCarriageway rightHandFeederRoad "
        "rightHandParallelCarriageway roundabout serviceRoad slipRoads underpass unspecifiedCarriageway"
    ),
    "laneUsage": _values(
        "allLanesCompleteCarriageway busLane busStop carPoolLane centralReservation crawlerLane cycleLane "
        "emergencyLane escapeLane expressLane hardShoulder heavyVehicleLane layBy leftHandTurningLane leftLane "
        "localTrafficLane middleLane overtakingLane rightHandTurningLane rightLane rushHourLane setDownArea "
        "slowVehicleLane throughTrafficLane tidalFlowLane turningLane verge"
    ),
    "trafficConstrictionType": _values(
        "carriagewayBlocked carriagewayPartiallyObstructed lanesBlocked lanesPartiallyObstructed roadBlocked "
        "roadPartiallyObstructed"
    ),
    "vehicleObstructionType": _values(
        "abandonedVehicle abnormalLoad brokenDownVehicle convoy damagedVehicle dangerousSlowMovingVehicle "
        "emergencyVehicle highSpeedEmergencyVehicle longLoad highSpeedChase medicalEmergency militaryConvoy "
        "overheightVehicle prohibitedVehicleOnTheRoad recklessDriver slowVehicle specialPermitTransport "
        "trackedVehicle unlitVehicleOnTheRoad vehicleOnFire vehicleCarryingHazardousMaterials vehicleInDifficulty "
        "vehicleOnWrongCarriageway vehicleStuck vehicleWithOverheightLoad vehicleWithOverwideLoad "
        "winterMaintetanceVehicleInTransfer other"
    ),
    "accidentType": _values(
        "accident accidentInvolvingHazardousMaterials accidentInvolvingHeavyLorries "
        "accidentInvolvingMassTransitVehicle accidentInvolvingPublicTransport "
        "accidentInvolvingRadioactiveMaterial accidentInvolvingTrain collision multipleVehicleAccident "
        "secondaryAccident seriousInjuryOrFatalAccident vehicleStuckUnderBridge other"
    ),
    "obstructionType": _values(
        "airCrash childrenOnRoadway clearanceWork craneOperating cyclistsOnRoadway debris explosion "
        "explosionHazard hazardsOnTheRoad incident industrialAccident objectOnTheRoad "
        "objectsFallingFromMovingVehicle obstructionOnTheRoad peopleOnRoadway railCrash rescueAndRecoveryWork "
        "severeFrostDamagedRoadway shedLoad snowAndIceDebris spillageOccurringFromMovingVehicle spillageOnTheRoad "
        "unprotectedAccidentArea other"
    ),
    "abnormalTrafficType": _values(
        "stationaryTraffic queuingTraffic slowTraffic heavyTraffic unspecifiedAbnormalTraffic other"
    ),
    "speedManagementType": _values(
        "activeSpeedControlInOperation doNotSlowdownUnnecessarily observeSpeedLimit policeSpeedChecksInOperation "
        "reduceYourSpeed speedRestrictionInOperation other"
    ),
    "publicEventType": _values(
        "agriculturalShow airShow artEvent athleticsMeeting commercialEvent culturalEvent ballGame baseballGame "
        "basketballGame beerFestival bicycleRace boatRace boatShow boxingTournament bullFight ceremonialEvent "
        "concert cricketMatch exhibition fair festival filmFestival filmTVMaking fireworkDisplay flowerEvent "
        "foodFestival footballMatch funfair gardeningOrFlowerShow golfTournament hockeyGame horseRaceMeeting "
        "internationalSportsMeeting majorEvent marathon market match motorShow motorSportRaceMeeting "
        "openAirConcert parade procession raceMeeting rugbyMatch severalMajorEvents show showJumping "
        "soundAndLightShow sportsMeeting stateOccasion streetFestival tennisTournament theatricalEvent tournament "
        "tradeFair waterSportsMeeting wineFestival winterSportsMeeting unknown other"
    ),
    "weatherRelatedRoadConditionType": _values(
        "blackIce deepSnow dry freezingOfWetRoads freezingPavements freezingRain freshSnow glaze ice iceBuildUp "
        "iceWithWheelBarTracks icyPatches looseSnow moist normalWinterConditionsForPedestrians notDry packedSnow "
        "rime roadSurfaceMelting slippery slushOnRoad slushStrings snow snowDrifts snowOnPavement wetAndIcyRoad "
        "snowOnTheRoad wetIcyPavement streamingWater surfaceWater wet other"
    ),
    "vehicleType": _values(
        "agriculturalVehicle anyVehicle articulatedBus articulatedTrolleyBus articulatedVehicle bicycle bus car "
        "caravan carOrLightVehicle carWithCaravan carWithTrailer constructionOrMaintenanceVehicle fourWheelDrive "
        "heavyGoodsVehicle heavyGoodsVehicleWithTrailer heavyDutyTransporter heavyVehicle highSidedVehicle "
        "lightCommercialVehicle largeCar largeGoodsVehicle lightCommercialVehicleWithTrailer longHeavyLorry lorry "
        "metro minibus moped motorcycle motorcycleWithSideCar motorhome motorscooter passengerCar smallCar tanker "
        "threeWheeledVehicle trailer tram trolleyBus twoWheeledVehicle van vehicleWithCaravan "
        "vehicleWithCatalyticConverter vehicleWithoutCatalyticConverter vehicleWithTrailer "
        "withEvenNumberedRegistrationPlates withOddNumberedRegistrationPlates unknown other"
    ),
    "informationStatus": _values("real securityExercise technicalExercise test"),
    "applicableForTrafficDirection": _values(
        "aligned allDirections anticlockwise bothWays clockwise innerRing outerRing eastBound northBound "
        "northEastBound northWestBound southBound southEastBound southWestBound westBound inboundTowardsTown "
        "outboundFromTown opposite unknown other"
    ),
}
"""The element that holds a word -> the words that there are."""

EXTENSIONS: Mapping[str, frozenset[str]] = {
    "roadOrCarriagewayOrLaneManagementType": _values(
        "createOneDirectionWay createTwoDirectionWay laneInOperation laneMoved laneNotInOperation "
        "laneRestrictionInOperation parkingProhibitionInOperation reverseTrafficDirection waitingProhibitionInOperation"
    ),
    "complianceOption": _values("information unknown"),
    "commentType": _values("operatorInformationExchange"),
    "causeType": _values("movingBridgeInOperation"),
    "laneUsage": _values(
        "advisoryCycleLane bridlePath busAndCycleLane footAndCyclePath guidedBusWay taxiLane taxiRank tollLane "
        "trolleyBusLane"
    ),
    "obstructionType": _values("buildingWork firefightersInOperation policeInOperation"),
    "vehicleType": _values(
        "electricBike electricScooter personalLightElectricVehicle agriculturalAndForestryVehicle animalDrawnVehicles "
        "coach electricVehicles extendedCabDualPurposePickup fireEngine forestryVehicle fourStrokeEngineVehicle "
        "fourWheeledVehicle goodsVehicles gritter handcarts lowspeedDisabledVehicle lowSpeedMotorisedVehicle microcar "
        "mobileMachines motorisedHorseBox motorisedPersonalTransportDevices motorizedVehicles "
        "motorizedVehiclesWithoutNumberPlate motorQuadricycles nonMotorizedVehicles passengerCarWithTrailer pickup "
        "quadricycle snowPlough soloMotorcycle tipper tractor twoStrokeEngineVehicle "
        "withEvenFirstNumberRegistrationPlate withOddFirstNumberRegistrationPlate"
    ),
}
"""The words that the standard's own extensions add, beside `_extended`. The enumerations that are not named here take
any word in that place."""

OTHER_FORMS = _values(
    "AnimalPresenceObstruction AuthorityOperation CarParks DisturbanceActivity EnvironmentalObstruction "
    "EquipmentOrSystemFault GeneralInstructionOrMessageToRoadUsers GeneralNetworkManagement GenericSituationRecord "
    "InfrastructureDamageObstruction NonWeatherRelatedRoadConditions PoorEnvironmentConditions "
    "RoadOperatorServiceDisruption RoadsideAssistance RoadsideServiceDisruption TransitInformation "
    "WinterDrivingManagement"
)
"""The other classes of records, of both versions."""

_LANES = " ".join(f"lane{number}" for number in range(1, 10))

OF_VERSION_2: Mapping[str, frozenset[str]] = {
    "commentType": _values("locationDescriptor"),
    "laneUsage": _values(f"{_LANES} opposingLanes"),
}
"""The words more that version 2 had."""


def knows(element: str, word: str, *, version_2: bool = False) -> bool:
    """Whether the enumeration of an element has this word."""
    words = (ENUMERATIONS, EXTENSIONS, OF_VERSION_2) if version_2 else (ENUMERATIONS, EXTENSIONS)
    return any(word in each.get(element, ()) for each in words)
