using StbImageSharp;

namespace ImageClassification;

/// <summary>A picture of 8-bit red, green and blue, row by row from the top left.</summary>
internal sealed record Picture(int Width, int Height, byte[] Pixels)
{
    private const int Channels = 3;

    /// <summary>Reads a PNG, JPEG, BMP, GIF or TGA file; transparency is dropped.</summary>
    public static Picture Load(string path)
    {
        using FileStream file = File.OpenRead(path);
        ImageResult image = ImageResult.FromStream(file, ColorComponents.RedGreenBlue);
        return new Picture(image.Width, image.Height, image.Data);
    }

    /// <summary>Resizes so that the shorter side has a length and the shape stays.</summary>
    public Picture ResizeShorterSide(int length) => Width < Height
        ? Resize(length, (int)Math.Round((double)Height * length / Width))
        : Resize((int)Math.Round((double)Width * length / Height), length);

    /// <summary>Cuts out the middle.</summary>
    public Picture CropMiddle(int width, int height)
    {
        if (width > Width || height > Height)
            throw new ArgumentException($"A picture of {Width} x {Height} has no middle of {width} x {height}; resize it first.");
        int left = (Width - width) / 2, top = (Height - height) / 2;
        var pixels = new byte[width * height * Channels];
        for (int y = 0; y < height; y++)
            Pixels.AsSpan(((((top + y) * Width) + left) * Channels), width * Channels).CopyTo(pixels.AsSpan(y * width * Channels));
        return new Picture(width, height, pixels);
    }

    /// <summary>The numbers that a model reads: all reds, then all greens, then all blues, from 0 to 1, less the mean, over the deviation.</summary>
    public float[] ToPlanes(float[] mean, float[] deviation)
    {
        int count = Width * Height;
        var planes = new float[Channels * count];
        for (int pixel = 0; pixel < count; pixel++)
        {
            for (int channel = 0; channel < Channels; channel++)
                planes[(channel * count) + pixel] = ((Pixels[(pixel * Channels) + channel] / 255f) - mean[channel]) / deviation[channel];
        }
        return planes;
    }

    // A triangle filter as wide as the step: bilinear where it enlarges, and where it shrinks every pixel counts, so that nothing flickers.
    private Picture Resize(int width, int height)
    {
        (int First, float[] Shares)[] columns = Weights(Width, width), rows = Weights(Height, height);
        var narrow = new float[Height * width * Channels];
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (int first, float[] shares) = columns[x];
                for (int i = 0; i < shares.Length; i++)
                {
                    for (int channel = 0; channel < Channels; channel++)
                        narrow[(((y * width) + x) * Channels) + channel] += shares[i] * Pixels[(((y * Width) + first + i) * Channels) + channel];
                }
            }
        }
        var pixels = new byte[width * height * Channels];
        for (int y = 0; y < height; y++)
        {
            (int first, float[] shares) = rows[y];
            for (int at = 0; at < width * Channels; at++)
            {
                float sum = 0;
                for (int i = 0; i < shares.Length; i++)
                    sum += shares[i] * narrow[((first + i) * width * Channels) + at];
                pixels[(y * width * Channels) + at] = (byte)Math.Clamp(MathF.Round(sum), 0, 255);
            }
        }
        return new Picture(width, height, pixels);
    }

    private static (int First, float[] Shares)[] Weights(int from, int to)
    {
        double step = (double)from / to, reach = Math.Max(step, 1);
        var weights = new (int, float[])[to];
        for (int target = 0; target < to; target++)
        {
            double middle = (target + 0.5) * step;
            int first = Math.Max((int)Math.Floor(middle - reach), 0), last = Math.Min((int)Math.Ceiling(middle + reach), from) - 1;
            double[] shares = [.. Enumerable.Range(first, last - first + 1).Select(source => Math.Max(0, 1 - (Math.Abs(source + 0.5 - middle) / reach)))];
            double sum = shares.Sum();
            weights[target] = (first, [.. shares.Select(share => (float)(share / sum))]);
        }
        return weights;
    }
}
