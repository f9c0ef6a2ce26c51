from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.i18n.texts import Texts
from vaead.i18n.training_warnings import training_warnings


def test_each_network_has_its_warnings() -> None:
    networks = [TrainingDiagnostics(*values) for values in ((0.004, 0.5), (0.9, 0.5), (0.9, 31.25))]
    collapsed, too_small = training_warnings(networks, Texts("en"))
    assert "bottleneck has died" in collapsed
    assert "0.4\u00a0% of the variance" in collapsed
    assert "M is 31.2 nats a pixel" in too_small
