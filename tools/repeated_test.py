#!/usr/bin/env python3
"""Tests of repeated.py."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import repeated  # pylint: disable=wrong-import-position

PASSAGE = """
int Sum(const Numbers& numbers) {
  int sum = 0;
  for (int number : numbers) {
    sum += number;
  }
  Log("sum", sum);
  if (sum < 0) throw Negative();
  return sum;
}
"""
RENAMED = (PASSAGE.replace("sum", "total").replace("Sum", "Total").replace("0", "17"))
COMMENTED = PASSAGE.replace("\n  ", "  // why\n\n  /* and\n how */ ")
TABLE = "Add(1, \"{0}\");\nAdd(2, \"{0}\");\nFind({0});\n" * 3


def passages(**texts):
    """(lines, same) of what stands twice in files of these endings and texts."""
    files = {}
    for name, text in texts.items():
        name = name.replace("_", ".")
        files[name] = repeated.code_lines(name, text)
    return [(p.lines, p.same) for p in repeated.passages(files)]


class RepeatedTest(unittest.TestCase):

    def test_counts_what_is_the_same_to_the_letter(self):
        self.assertEqual(passages(a_cc=PASSAGE, b_h=PASSAGE), [(7, True)])

    def test_counts_what_has_other_names_and_numbers(self):
        self.assertEqual(passages(a_cc=PASSAGE, b_cc=RENAMED), [(7, False)])

    def test_passes_over_comments_blank_lines_and_white_space(self):
        self.assertEqual(passages(a_cc=PASSAGE, b_cc=COMMENTED), [(7, True)])

    def test_takes_another_keyword_for_other_code(self):
        other = PASSAGE.replace("throw", "return")
        self.assertEqual(passages(a_cc=PASSAGE, b_cc=other), [])

    def test_counts_nothing_of_five_lines(self):
        short = "\n".join(PASSAGE.split("\n")[:7])
        self.assertEqual(passages(a_cc=short, b_cc=short), [])

    def test_takes_a_list_for_what_it_is(self):
        self.assertEqual(
            passages(a_cc=TABLE.format("a"), b_cc=TABLE.format("b")), [])

    def test_counts_each_pair_of_three_places(self):
        self.assertEqual(
            len(passages(a_cc=PASSAGE, b_cc=RENAMED, c_cc=PASSAGE)), 3)

    def test_counts_a_place_more_as_a_pair_more_where_there_are_many(self):
        texts = {f"a{i}_cc": PASSAGE for i in range(10)}
        self.assertEqual(len(passages(**texts)), 9)

    def test_counts_a_file_that_repeats_itself_without_overlap(self):
        self.assertEqual(passages(a_cc=PASSAGE + RENAMED), [(7, False)])

    def test_reads_python_and_shell_and_no_rules(self):
        words = "a = 1\nb(a)\nreturn a\nc.d(a)\nif a:\n  e(a, f)\n# {}\n"
        self.assertEqual(
            passages(a_py=words.format(1), b_py=words.format(2), c_bzl=words),
            [(6, True)])


if __name__ == "__main__":
    unittest.main()
