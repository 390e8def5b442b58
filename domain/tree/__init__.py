"""The audit tree: RFC 6962 hashing in the layout of C2SP tlog-tiles. Pure: what it hashes and where that is kept is others' business."""
