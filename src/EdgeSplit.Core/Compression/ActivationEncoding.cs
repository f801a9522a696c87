namespace EdgeSplit.Compression;

/// <summary>How tensors travel over a link. The numbers travel on the wire and never change.</summary>
/// <remarks>
/// What an encoding cannot carry or would not make smaller travels as it is: tensors of other types than 32-bit floats under the
/// lossy ones, numbers that are not finite, numbers beyond 65,504 under <see cref="Float16"/>.
/// </remarks>
public enum ActivationEncoding
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>32-bit floats as 16-bit floats: half the bytes; each number is off by at most 2⁻¹¹ of itself.</summary>
    Float16 = 1,

    /// <summary>
    /// 32-bit floats as 8-bit steps between the smallest and the largest number of their channel: about a quarter of the bytes;
    /// each number is off by at most 1/510 of that range. A channel is what follows the second dimension of a tensor of four
    /// dimensions or more, and the last dimension of others.
    /// </summary>
    Int8PerChannel = 2,

    /// <summary>Without loss: the bytes of the elements sorted by their significance, then LZ4. What it saves depends on the numbers.</summary>
    Lz4 = 3,
}
