-- name: step
SELECT added, size, epoch FROM sequence_step()

-- name: ensure_partitions
SELECT ensure_partitions()
