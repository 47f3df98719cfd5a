"""Air and weather: what residents breathe, and the sky that lighting and roads depend on."""

from vigie.core.kinds import AssetKind, attribute, choice, number
from vigie.core.service import Figure, How, Service

_HOURLY_S = 7_200.0


class AirStation(AssetKind, name="air_station", service="air", shown="no2", public=True):
    """A station that measures pollutants; hourly means."""

    typology = attribute()

    no2 = number(unit="ug/m3", low=0, high=5_000, valid_s=_HOURLY_S, public=True)
    nox = number(unit="ug/m3", low=0, high=10_000, valid_s=_HOURLY_S, public=True)
    o3 = number(unit="ug/m3", low=0, high=5_000, valid_s=_HOURLY_S, public=True)
    pm10 = number(unit="ug/m3", low=0, high=10_000, valid_s=_HOURLY_S, public=True)
    pm25 = number(unit="ug/m3", low=0, high=10_000, valid_s=_HOURLY_S, public=True)
    so2 = number(unit="ug/m3", low=0, high=10_000, valid_s=_HOURLY_S, public=True)
    co = number(unit="mg/m3", low=0, high=1_000, valid_s=_HOURLY_S, public=True)
    wind_speed = number(unit="m/s", low=0, high=120, valid_s=_HOURLY_S, public=True)
    wind_from = number(unit="deg", low=0, high=360, valid_s=_HOURLY_S, public=True)


class WeatherStation(AssetKind, name="weather_station", service="air", shown="temperature", public=True):
    """A weather or road-weather station. surface, surface_state: of the road that its sensors lie in, where it has
    some. dew_point: where it says it itself."""

    temperature = number(unit="Cel", low=-60, high=60, valid_s=1_800, public=True)
    humidity = number(unit="%", low=0, high=100, valid_s=1_800, public=True)
    rain = number(unit="mm/h", low=0, high=500, valid_s=1_800, public=True)
    wind_speed = number(unit="m/s", low=0, high=120, valid_s=1_800, public=True)
    illuminance = number(unit="lx", low=0, high=200_000, valid_s=1_800, public=True)
    surface = number(unit="Cel", low=-60, high=90, valid_s=1_800, public=True)
    surface_state = choice("dry", "moist", "wet", "ice", valid_s=1_800, public=True)
    dew_point = number(unit="Cel", low=-80, high=60, valid_s=1_800, public=True)


service = Service(
    name="air",
    assets=(AirStation, WeatherStation),
    figures=(
        Figure("no2", AirStation, AirStation.no2, How.MAX),
        Figure("temperature", WeatherStation, WeatherStation.temperature, How.MEAN),
    ),
)
