# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz targets of the virtio devices: virtqueues, and a guest against registers and memory of whole devices.

FUZZ_TARGETS += virtio_queue virtio_device
FUZZ_MINUTE_TARGETS += virtio_queue virtio_device

virtio_queue_FUZZ_SRCS = mgmt/virtio/queue.c mgmt/virtio/guest_memory.c
virtio_device_FUZZ_SRCS = $(wildcard mgmt/virtio/*.c) mgmt/lib/access.c tests/host/virtio_driver.c

build/fuzz/seeds/virtio-stamp: tests/fuzz/fuzz_virtio_seeds.py
	@python3 tests/fuzz/fuzz_virtio_seeds.py build/fuzz/seeds
	@touch $@
fuzz-build: build/fuzz/seeds/virtio-stamp
