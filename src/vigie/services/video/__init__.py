"""Video protection: cameras. No picture passes here yet; the prefect's authorisation comes first."""

from vigie.core.kinds import AssetKind, ConditionKind, Outlet, Sort, attribute, choice
from vigie.core.service import Figure, How, Service
from vigie.core.watch import Watch, points_of, watching


class Camera(AssetKind, name="camera", service="video", shown="link"):
    """A camera on the public road."""

    model = attribute()
    bearing = attribute(Sort.NUMBER, unit="deg")
    view = attribute(Sort.NUMBER, unit="deg")

    link = choice("up", "down", valid_s=900)


CAMERA_DOWN = ConditionKind(name="camera_down", service="video", outlet=Outlet.MAINTENANCE)

_WATCHES = (Watch(Camera, Camera.link, CAMERA_DOWN, ("down",)),)

service = Service(
    name="video",
    assets=(Camera,),
    conditions=(CAMERA_DOWN,),
    reacts=points_of(*_WATCHES),
    step=watching(*_WATCHES),
    figures=(Figure("cameras_up", Camera, Camera.link, How.SHARE, when=("up",)),),
)
