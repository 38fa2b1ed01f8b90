# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the virtio devices of the management domain; tests/host/virtio_driver.c is the guest.

VIRTIO_SRCS = $(addprefix mgmt/virtio/, guest_memory.c queue.c virtio.c pci.c msix.c virtio_pci.c \
	virtio_mmio.c) mgmt/lib/access.c tests/host/virtio_driver.c

HOST_TESTS += virtio_queue_test virtio_pci_test virtio_device_test
HOST_TESTS += virtio_block_test virtio_console_test virtio_net_test

virtio_queue_test_SRCS = tests/host/virtio_queue_test.c $(VIRTIO_SRCS)
virtio_pci_test_SRCS = tests/host/virtio_pci_test.c mgmt/virtio/virtio_rng.c $(VIRTIO_SRCS)
virtio_device_test_SRCS = tests/host/virtio_device_test.c mgmt/virtio/virtio_rng.c $(VIRTIO_SRCS)
virtio_block_test_SRCS = tests/host/virtio_block_test.c mgmt/virtio/virtio_block.c mgmt/virtio/block_image.c \
	$(VIRTIO_SRCS)
virtio_console_test_SRCS = tests/host/virtio_console_test.c mgmt/virtio/virtio_console.c $(VIRTIO_SRCS)
virtio_net_test_SRCS = tests/host/virtio_net_test.c mgmt/virtio/virtio_net.c mgmt/virtio/net_switch.c \
	mgmt/virtio/net_offload.c $(VIRTIO_SRCS)

HOST_TESTS += net_switch_test net_offload_test
net_switch_test_SRCS = tests/host/net_switch_test.c mgmt/virtio/net_switch.c mgmt/virtio/net_offload.c
net_offload_test_SRCS = tests/host/net_offload_test.c mgmt/virtio/net_offload.c

HOST_TESTS += virtio_saved_test
virtio_saved_test_SRCS = tests/host/virtio_saved_test.c mgmt/virtio/virtio_saved.c mgmt/virtio/virtio_rng.c $(VIRTIO_SRCS)

# The manager with all of its parts; MGMT_FAKES and MGMT_MANAGER_SRCS are in mgmt.mk.
HOST_TESTS += virtio_manager_test
virtio_manager_test_SRCS = tests/host/virtio_manager_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
