// Testbeds are kept apart by their numbers; but what they measure would be each other.
[assembly: NonParallelizable]
