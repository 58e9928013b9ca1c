"""What a peer does with a folder of photographs. Run by `benchmarks.peers` in the peers' own environment.

    python peer_worker.py deepface|insightface PHOTOS WEIGHTS ROOM PROBES

Prints one JSON object. WEIGHTS holds the ONNX files under their published names; they are put where the peer looks for
its own, so that nothing is fetched. ROOM is an empty folder.
"""

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import numpy as np


def main():
    peer, photos, weights, room, probes = sys.argv[1], *map(Path, sys.argv[2:5]), int(sys.argv[5])
    act = {"deepface": deepface, "insightface": insightface}[peer]
    result, names, vectors = act(photos, weights, room, probes)
    result["rank_1"] = rank_1(photos, names, np.array(vectors))
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def deepface(photos, weights, room, probes):
    os.environ["DEEPFACE_HOME"] = str(room)
    os.environ["DEEPFACE_LOG_LEVEL"] = "50"
    place = room / ".deepface" / "weights"
    place.mkdir(parents=True)
    for name in ("face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec.onnx"):
        shutil.copy(weights / name, place)
    from importlib.metadata import version

    from deepface import DeepFace

    how = {"model_name": "SFace", "detector_backend": "yunet", "enforce_detection": False, "silent": True}
    files = sorted(photos.rglob("*.jpg"))
    DeepFace.represent(str(files[0]), **{k: v for k, v in how.items() if k != "silent"})
    begun = time.perf_counter()
    DeepFace.find(str(files[0]), db_path=str(photos), **how)
    seconds = time.perf_counter() - begun
    taken = []
    for file in files[:: max(1, len(files) // probes)][:probes]:
        begun = time.perf_counter()
        DeepFace.find(str(file), db_path=str(photos), refresh_database=False, **how)
        taken.append(1e3 * (time.perf_counter() - begun))
    embedding = []
    for file in files[:: max(1, len(files) // probes)][:probes]:
        begun = time.perf_counter()
        DeepFace.represent(str(file), **{k: v for k, v in how.items() if k != "silent"})
        embedding.append(1e3 * (time.perf_counter() - begun))
    with np.load(next(photos.glob("*.npz"))) as held:
        areas = held["target_w"] * held["target_h"] * held["has_embedding"]
        identities, embeddings = held["identity"].tolist(), held["embedding"]
    largest = {}
    for row, name in enumerate(identities):
        if areas[row] > largest.get(name, (0, None))[0]:
            largest[name] = (areas[row], embeddings[row])
    names = [str(Path(name).relative_to(photos)) for name in largest]
    result = {
        "peer": f"deepface {version('deepface')}",
        "images": len(files),
        "images_per_second": round(len(files) / seconds, 2),
        "find_ms": summary(taken),
        "embedding_ms": summary(embedding),
    }
    return result, names, [vector for _, vector in largest.values()]


def insightface(photos, weights, room, probes):
    place = room / "models" / "buffalo_sc"
    place.mkdir(parents=True)
    shutil.copy(weights / "scrfd_500m_bnkps.onnx", place / "det_500m.onnx")
    shutil.copy(weights / "w600k_mbf.onnx", place / "w600k_mbf.onnx")
    from importlib.metadata import version

    import cv2
    from insightface.app import FaceAnalysis

    app = FaceAnalysis(name="buffalo_sc", root=str(room), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))
    files = sorted(photos.rglob("*.jpg"))
    app.get(cv2.imread(str(files[0])))
    names, vectors = [], []
    begun = time.perf_counter()
    for file in files:
        faces = app.get(cv2.imread(str(file)))
        if faces:
            best = max(faces, key=lambda face: (face.bbox[2] - face.bbox[0]) * (face.bbox[3] - face.bbox[1]))
            names.append(str(file.relative_to(photos)))
            vectors.append(best.normed_embedding)
    seconds = time.perf_counter() - begun
    result = {
        "peer": f"insightface {version('insightface')}",
        "images": len(files),
        "images_per_second": round(len(files) / seconds, 2),
    }
    return result, names, vectors


def rank_1(photos, names, vectors):
    """As in `benchmarks.accuracy`: each photograph of a person with several, among all others."""
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    folders = [file.parent.name for file in photos.rglob("*.jpg")]
    several = {name for name in folders if folders.count(name) > 1}
    who = np.array([Path(name).parent.name for name in names])
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    right = sum(a == b for a, b in zip(who, who[scores.argmax(axis=1)], strict=True) if a in several)
    total = sum(name in several for name in folders)
    return {"value": round(right / total, 5), "n": total} if total else None


def summary(taken):
    return {"p50": round(statistics.median(taken), 2), "best": round(min(taken), 2), "n": len(taken)}


if __name__ == "__main__":
    main()
