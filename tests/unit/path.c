// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recorded tree with links that try to lead out of it: none may, neither where the kernel
 * resolves (openat2) nor where our own walk does. For the second round a seccomp filter makes
 * openat2 look as it does on kernels before 5.6.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "tests/tap.h"

#include "base/path.h"

struct tree {
	char top[64]; /* holds "outside" and the tree "root" */
	char prefix[96];
	struct root root;
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		skip_all("no temporary files can be made here");
	close(fd);
}

static void make_tree(struct tree *tree)
{
	const char *dir = getenv("TMPDIR");

	snprintf(tree->top, sizeof(tree->top), "%.40s/hvscope-path.XXXXXX", dir ? dir : "/tmp");
	if (!mkdtemp(tree->top) || chdir(tree->top))
		skip_all("no temporary folder can be made here");
	snprintf(tree->prefix, sizeof(tree->prefix), "%s/root", tree->top);
	tree->root.prefix = tree->prefix;
	write_file("outside", "secret\n");
	if (mkdir("root", 0700) || mkdir("root/etc", 0700) || mkdir("root/etc/deep", 0700))
		skip_all("no temporary folder can be made here");
	write_file("root/etc/file", "inside\n\n");
	write_file("root/outside", "decoy\n");
	if (symlink("/etc/file", "root/absolute") || symlink("../../../outside", "root/etc/up") ||
	    symlink("/", "root/etc/slash") || symlink("loop-b", "root/loop-a") ||
	    symlink("loop-a", "root/loop-b") || symlink("/nowhere", "root/dangling") ||
	    symlink("deep/../file", "root/etc/dots") || mkfifo("root/fifo", 0600))
		skip_all("no links can be made here");
}

static void remove_tree(const struct tree *tree)
{
	static const char *const files[] = {
		"root/absolute", "root/etc/up",   "root/etc/slash", "root/loop-a",
		"root/loop-b",   "root/dangling", "root/etc/dots",  "root/fifo",
		"root/etc/file", "root/outside",  "outside",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		unlink(files[i]);
	rmdir("root/etc/deep");
	rmdir("root/etc");
	rmdir("root");
	if (chdir("/") || rmdir(tree->top))
		diag("%s is left behind", tree->top);
}

static void reads(const struct tree *tree, const char *path, const char *want)
{
	char buf[64] = "";
	ssize_t len = path_read_line(&tree->root, buf, sizeof(buf), "%s", path);

	if (!ok(len >= 0 && !strcmp(buf, want), "%s is '%s'", path, want))
		diag("got '%s', %zd", buf, len);
}

static void fails(const struct tree *tree, const char *path, int errnum)
{
	int fd = path_open(&tree->root, O_RDONLY, "%s", path);

	if (!ok(fd == -errnum, "%s: %s", path, strerror(errnum)))
		diag("got %d", fd);
	if (fd >= 0)
		close(fd);
}

static void test_resolution(const struct tree *tree)
{
	reads(tree, "/etc/file", "inside");
	reads(tree, "/absolute", "inside");
	reads(tree, "/etc/dots", "inside");
	reads(tree, "/etc/slash/etc/slash/etc/file", "inside");
	reads(tree, "/../../outside", "decoy");
	reads(tree, "/etc/up", "decoy");
	reads(tree, "/etc/deep/../../../../outside", "decoy");
	fails(tree, "/loop-a", ELOOP);
	fails(tree, "/dangling", ENOENT);
	fails(tree, "/etc/file/more", ENOTDIR);
	reads(tree, "/fifo", ""); /* and doesn't wait for a writer */
}

static void test_questions(const struct tree *tree)
{
	const struct root *root = &tree->root;
	char buf[64];
	DIR *dir;

	ok(path_exists(root, "/etc/%s", "file"), "a file is there");
	ok(!path_exists(root, "/dangling"), "a link to nothing isn't");
	is_int(path_readlink(root, buf, sizeof(buf), "/absolute"), 9, "a link's length");
	is_str(buf, "/etc/file", "a link is read as it stands");
	is_int(path_readlink(root, buf, 9, "/absolute"), -ENAMETOOLONG, "a cut link is an error");
	is_int(path_readlink(root, buf, sizeof(buf), "/etc/file"), -EINVAL, "a file is no link");
	dir = path_opendir(root, "/etc");
	ok(dir, "a folder is opened");
	if (dir)
		closedir(dir);
	ok(!path_opendir(root, "/etc/file") && errno == ENOTDIR, "a file is no folder");
}

static void test_reading(const struct tree *tree)
{
	const struct root *root = &tree->root;
	char buf[64], *all;
	size_t len = 0;

	is_int(path_read(root, buf, sizeof(buf), "/etc/file"), 8, "all of a short file");
	is_str(buf, "inside\n\n", "with its newlines");
	is_int(path_read(root, buf, 5, "/etc/file"), 4, "a file is cut to the buffer");
	is_str(buf, "insi", "and ended");
	is_int(path_read(root, buf, sizeof(buf), "/etc"), -EISDIR, "a folder can't be read");
	all = path_read_all(root, 100, &len, "/etc/file");
	ok(all && len == 8 && !strcmp(all, "inside\n\n"), "the whole file");
	free(all);
	ok(!path_read_all(root, 7, &len, "/etc/file") && errno == EFBIG, "or none when too long");
	ok(!path_read_all(root, 7, NULL, "/etc/none") && errno == ENOENT, "a missing one");
	is_int(path_open(root, O_RDONLY, "/%05000d", 1), -ENAMETOOLONG, "a path that is too long");
}

static void test_real(const struct tree *tree)
{
	struct root empty = { "" };
	char buf[64];

	is_int(path_read(NULL, buf, sizeof(buf), "%s/outside", tree->top), 7,
	       "without a root paths are real");
	is_int(path_read(&empty, buf, sizeof(buf), "%s/outside", tree->top), 7,
	       "with an empty prefix too");
	is_int(path_readlink(NULL, buf, sizeof(buf), "%s/absolute", tree->prefix), 9,
	       "real links are read");
}

/* openat2 fails with ENOSYS from here on. */
static bool forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(void)
{
	struct tree tree;

	make_tree(&tree);
	test_resolution(&tree);
	test_questions(&tree);
	test_reading(&tree);
	test_real(&tree);
	if (forbid_openat2()) {
		diag("without openat2");
		test_resolution(&tree);
		test_questions(&tree);
	} else {
		skip("no seccomp filter can be set", "the walk without openat2");
	}
	remove_tree(&tree);
	return tap_done();
}
