# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the virtio devices of the management domain; tests/host/virtio_driver.c is the guest.

VIRTIO_SRCS = $(addprefix mgmt/virtio/, guest_memory.c queue.c virtio.c pci.c msix.c virtio_pci.c virtio_mmio.c) \
	mgmt/lib/access.c tests/host/virtio_driver.c

HOST_TESTS += virtio_queue_test
virtio_queue_test_SRCS = tests/host/virtio_queue_test.c $(VIRTIO_SRCS)
