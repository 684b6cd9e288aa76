"""JSON Merge Patch (RFC 7396)."""


def merge_patch(target: object, patch: object) -> object:
    """Return the target with the patch applied: null takes away, objects merge, all else replaces.

    Neither argument is changed; what is returned may share parts with both.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
