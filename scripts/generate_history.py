"""Write the generated history that the product ships: data/synthetic, the same bytes every time."""

from pathlib import Path

from offchain.calibration.synthetic import write

if __name__ == "__main__":
    for path in write(Path(__file__).parents[1] / "data" / "synthetic"):
        print(f"{path.name}: {path.stat().st_size} bytes")
