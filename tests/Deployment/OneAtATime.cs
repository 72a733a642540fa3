// Each test starts whole systems; side by side they would only measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
